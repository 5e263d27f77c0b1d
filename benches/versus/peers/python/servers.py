"""What the Python servers share: the answer, and how the port is said."""

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!"


def say(port):
    print(port, flush=True)


def answers(waiting, data):
    """The answers to all requests that are whole now, and what is left: heads only, not looked into."""
    *whole, rest = (waiting + data).split(b"\r\n\r\n")
    return ANSWER * len(whole), rest
