"""What strangers may send: generators of hostile input, for the suite and for the fuzz.

Each kind has its module and its test in `tests/hostile`: pictures, words, requests, weights and
bases. A new way to hand something over, such as archives of photos, gets a module here.
"""
