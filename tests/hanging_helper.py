"""A helper process that says it is ready, and then nothing any more."""

import socket
import time

if __name__ == "__main__":
    control = socket.socket(fileno=0)
    control.send(b"ready")
    time.sleep(1000)
