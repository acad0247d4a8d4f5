"""Knowledge that watches itself: what is expired, twice there, contradictory, unused or confused."""
