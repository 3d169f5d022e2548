"""What stands behind `make`. Standard library only: `environment` must run before anything is installed."""
