"""Whether an adapter may serve: two contenders on the same questions, the verdict, and the promotion."""
