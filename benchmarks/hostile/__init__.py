"""What strangers may send: generators of hostile input, for the suite and for the fuzz."""
