SELECT secret FROM index_secret
