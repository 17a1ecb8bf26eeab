"""Makes strangers' pictures safe: decodes them in a limited process, strips and checks them."""
