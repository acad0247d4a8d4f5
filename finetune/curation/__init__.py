"""From conversations to a training set: masked, without what teaches nothing, split so that tests are honest."""
