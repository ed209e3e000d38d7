"""The pages: plain templates and small ES modules, no build step, nothing from elsewhere. Data comes from /v1."""
