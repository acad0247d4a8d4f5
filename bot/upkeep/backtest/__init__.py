"""The time machine: logged questions asked again, of today's content or of an edit before it is saved."""
