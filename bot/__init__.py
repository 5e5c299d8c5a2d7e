"""The running machine: settings, the app, channels, the worker and the command line."""
