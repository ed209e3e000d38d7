"""What indexer.mqtt.driver takes for granted about aiomqtt and paho.

When a new version breaks one of these, look there.
"""

from __future__ import annotations

import inspect

import aiomqtt
import paho.mqtt.client as paho


def test_driver_has_what_the_adapter_reaches_into() -> None:
    source = inspect.getsource(aiomqtt.Client)
    for name in ("self._client", "self._disconnected", "self._loop", "self._client.on_message = self._on_message"):
        assert name in source
    for name in ("_on_message", "_on_connect", "_on_socket_open", "_on_socket_close"):
        assert callable(getattr(aiomqtt.Client, name))
    for name in ("manual_ack_set", "loop_read", "disable_logger", "_sock_recv", "_packet_queue"):
        assert callable(getattr(paho.Client, name))
    reading = inspect.getsource(paho.Client._packet_read)
    assert "self._in_packet['command'] == 0" in reading and "self._sock_recv(" in reading
    assert ".recv(" not in reading.replace("_sock_recv(", "")
    assert "_topic" in inspect.getsource(paho.MQTTMessage)


def test_driver_leaves_qos_1_unacknowledged_when_told_to() -> None:
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.manual_ack_set(True)
    assert "if self._manual_ack" in inspect.getsource(paho.Client._handle_publish)
