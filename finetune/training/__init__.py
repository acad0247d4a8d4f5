"""From examples to an adapter: peft methods on TRL trainers, resumable, in one process or many."""
