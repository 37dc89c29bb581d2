"""No models: without this file, Django does not tell the app when it migrates."""
