"""Python's own generators."""

from common import each, main


def echo():
    sent = 0
    while True:
        sent = yield sent


def trip(count):
    generator = echo()
    next(generator)
    send = generator.send

    def work():
        for value in range(count):
            send(value)

    return each(count, work)


def short(value):
    yield value


def life(count):
    def work():
        for value in range(count):
            next(short(value))

    return each(count, work)


main({"trip": trip, "life": life}, slower=5)
