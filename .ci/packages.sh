# Sourced by ./test: the Debian packages that some tests judge with. Without root it says which tests are left out.

debian_packages() {
    missing=
    need() { # need COMMAND PACKAGE TESTS
        command -v "$1" >/dev/null 2>&1 && return 0
        missing="$missing $2"
        say "  $2 is not installed: $3 are left out unless it can be installed"
    }
    need ffprobe ffmpeg "tests that judge our MP4 by ffprobe"
    need chromium chromium "tests of the pages in a browser"
    need mosquitto mosquitto "tests against mosquitto"
    need gst-launch-1.0 gstreamer1.0-tools "tests that judge our MP4 by GStreamer"
    if ! /usr/bin/python3 -c 'import gi; gi.require_version("GstRtspServer", "1.0")' 2>/dev/null; then
        missing="$missing gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly gstreamer1.0-plugins-bad python3-gi"
        say "  gst-rtsp-server is not installed: tests against a server not written here are left out unless it can be installed"
    fi
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        say "  not root: going on without. As root: apt-get install$missing"
        return 0
    fi
    say "Installing$missing"
    apt-get update -qq >/dev/null 2>&1 || true
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 ||
        say "  they could not be installed; going on without"
}
