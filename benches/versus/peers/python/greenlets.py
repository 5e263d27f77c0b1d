"""greenlet, on which gevent stands."""

from greenlet import getcurrent, greenlet

from common import each, main


def trip(count):
    def echo(sent):
        parent = getcurrent().parent
        while True:
            sent = parent.switch(sent)

    switch = greenlet(echo).switch

    def work():
        for value in range(count):
            switch(value)

    return each(count, work)


def life(count):
    def work():
        for value in range(count):
            greenlet(abs).switch(value)

    return each(count, work)


main({"trip": trip, "life": life}, slower=5)
