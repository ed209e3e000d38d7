"""An RTSP server not written here: Debian's gst-rtsp-server, run by the system's Python.

/usr/bin/python3 gst_rtsp_server.py '{"codec": "h264", "user": "", "password": "", "certificate": "", "sound": ""}'
"relays": {"/camera/1": "rtsp://…"} with "relay_user" and "relay_password": other cameras' streams as they are, sent by
this server instead of the test picture.
Prints its port. Ends when its standard input does.
"""

import json
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

CODERS = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=12 bitrate=2000 ! rtph264pay name=pay0 pt=96",
    "h265": "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=12 bitrate=1500 ! rtph265pay name=pay0 pt=96",
}
OTHERS = {"vp8": "vp8enc deadline=1 target-bitrate=800000 ! rtpvp8pay name=pay0 pt=96"}
SOUNDS = {
    "aac": "voaacenc bitrate=64000 ! aacparse ! rtpmp4gpay name=pay1 pt=97",
    "alaw": "alawenc ! rtppcmapay name=pay1 pt=8",
}
TONE = "audiotestsrc is-live=true wave=ticks ! audioconvert ! audioresample ! audio/x-raw,rate={rate},channels=1"
PICTURES = "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=640,height=360,framerate=25/1"


def main() -> None:
    given = json.loads(sys.argv[1])
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(given.get("port", 0)))
    factories = [relay(given, server, path, url) for path, url in given.get("relays", {}).items()]
    if not factories:
        factories = [test_picture(given, server)]
    for factory in factories:
        factory.set_shared(True)
        if given.get("transport") == "udp":
            factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
    if given.get("user") or given.get("certificate"):
        server.set_auth(authentication(given, factories))
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    loop = GLib.MainLoop()
    threading.Thread(target=lambda: (sys.stdin.read(), loop.quit()), daemon=True).start()
    loop.run()


def relay(given: dict, server: GstRtspServer.RTSPServer, path: str, url: str) -> GstRtspServer.RTSPMediaFactory:
    factory = GstRtspServer.RTSPMediaFactory()
    words = f"user-id={given['relay_user']} user-pw={given['relay_password']}"
    factory.set_launch(
        f"( rtspsrc location={url} {words} protocols=tcp latency=0 ! rtph264depay ! h264parse"
        " ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
    )
    factory.set_latency(0)
    server.get_mount_points().add_factory(path, factory)
    return factory


def test_picture(given: dict, server: GstRtspServer.RTSPServer) -> GstRtspServer.RTSPMediaFactory:
    factory = GstRtspServer.RTSPMediaFactory()
    coder = OTHERS.get(given["codec"]) or f"{CODERS[given['codec']]} config-interval={given.get('sets_every', 0)}"
    pictures = PICTURES.replace("pattern=ball", "pattern=snow") if given.get("noise") else PICTURES
    parts = [f"{pictures} ! {coder}"]
    if given.get("sound"):
        rate = given.get("rate", 8000 if given["sound"] == "alaw" else 44100)
        parts.append(f"{TONE.format(rate=rate)} ! {SOUNDS[given['sound']]}")
    factory.set_launch(f"( {' '.join(parts)} )")
    server.get_mount_points().add_factory("/live", factory)
    return factory


def authentication(given: dict, factories: list) -> GstRtspServer.RTSPAuth:
    auth = GstRtspServer.RTSPAuth()
    role = "recorder" if given.get("user") else "anonymous"
    allowed = Gst.Structure.new_empty(role)
    for name in ("media.factory.access", "media.factory.construct"):
        allowed.set_value(name, True)
    for factory in factories:
        factory.add_role_from_structure(allowed)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", role)
    if given.get("user"):
        method = GstRtsp.RTSPAuthMethod.BASIC if given.get("basic") else GstRtsp.RTSPAuthMethod.DIGEST
        auth.set_supported_methods(method)
        if given.get("basic"):
            auth.add_basic(auth.make_basic(given["user"], given["password"]), token)
        else:
            auth.add_digest(given["user"], given["password"], token)
    else:
        auth.set_default_token(token)
    if given.get("certificate"):
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(given["certificate"]))
    return auth


if __name__ == "__main__":
    main()
