"""A socket that listens for a server of pages, before anything else is begun."""

import socket


def listening_on(host: str, port: int) -> socket.socket:
    """A socket that listens at an address, IPv4 or IPv6; to be closed by whoever asked.

    Raises `OSError` where the port is taken or the address is not this machine's, `OverflowError`
    for a port that is none.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen()  # who asks before there is an answer is answered then
    except BaseException:
        found.close()
        raise
    return found


def address_text(host: str, port: int) -> str:
    """The address of the pages there, as a browser takes it."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
