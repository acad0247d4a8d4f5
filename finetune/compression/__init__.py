"""An adapter and its base in one, in the forms that are served."""
