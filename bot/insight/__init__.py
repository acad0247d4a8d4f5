"""What conversations tell beyond their answers: what a customer may be interested in."""
