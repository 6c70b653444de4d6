"""Sockets of client push (`/push/ws`), logged in and then silent, as thousands of desktop clients have them."""

import base64
import os
import socket


def frame(text, opcode=1):
    data = text.encode()
    # A mask of zeros is a mask.
    return bytes([0x80 | opcode, 0x80 | len(data), 0, 0, 0, 0]) + data


def read_until(connection, end):
    seen = b""
    while end not in seen:
        part = connection.recv(4096)
        if not part:
            raise ConnectionError(seen)
        seen += part
    return seen


def open_socket(port, host, login, password, number=0):
    """A socket that has logged in. `number` spreads them over addresses, each of which has only so many ports."""
    connection = socket.socket()
    connection.bind((f"127.0.0.{2 + number // 20_000}", 0))
    connection.connect(("127.0.0.1", port))
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall(
        f"GET /push/ws HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
    read_until(connection, b"\r\n\r\n")
    connection.sendall(frame(login) + frame(password))
    read_until(connection, b"authenticated")
    return connection
