"""Small scripts that do only the unavoidable, as lean as their author can make them."""
