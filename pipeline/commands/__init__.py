"""The subcommands, a module each: ``add(parser)`` names its arguments, ``run(arguments)`` returns the exit code."""
