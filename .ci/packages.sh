# Sourced by ./test: the Debian packages that some tests judge with. Each need is checked by itself: half of a group of
# packages is no use. Without root it says which tests are left out.

debian_packages() {
    missing=
    need() { # need PACKAGE TESTS CHECK...
        package=$1 tests=$2
        shift 2
        "$@" >/dev/null 2>&1 && return 0
        missing="$missing $package"
        say "  $package is not installed: $tests are left out unless it can be installed"
    }
    program() { command -v "$1"; }
    element() { gst-inspect-1.0 --exists "$1"; }
    typelib() { /usr/bin/python3 -c "import gi; gi.require_version('$1', '1.0')"; }
    library() { /usr/bin/python3 -c "import ctypes; ctypes.CDLL('$1')"; }
    plugin() { ls /usr/lib/*/vlc/plugins/"$1"; }
    served="tests against an RTSP server not written here"
    seeking="tests that seek in clips"
    need ffmpeg "tests that judge our MP4 by ffmpeg and ffprobe" program ffprobe
    need chromium "tests of the pages and of clips in Chromium" program chromium
    need firefox-esr "$seeking in Firefox" program firefox-esr
    need poppler-utils "tests of what is printed" program pdftotext
    need mosquitto "tests against mosquitto" program mosquitto
    need coturn "tests of live pictures through a TURN server" program turnserver
    need libvlc5 "$seeking in VLC" library libvlc.so.5
    need vlc-plugin-base "$seeking in VLC" plugin demux/libmp4_plugin.so
    need gstreamer1.0-tools "tests that judge our MP4 by GStreamer" program gst-launch-1.0
    need python3-gi "$served, and $seeking in GStreamer" /usr/bin/python3 -c "import gi"
    need gir1.2-gst-rtsp-server-1.0 "$served" typelib GstRtspServer
    need gstreamer1.0-plugins-base "$served" element videotestsrc
    need gstreamer1.0-plugins-good "$served, and $seeking in GStreamer" element rtph264pay
    need gstreamer1.0-plugins-ugly "$served" element x264enc
    need gstreamer1.0-plugins-bad "$served" element x265enc
    need opencv-doc "tests of masking on a film of persons" ls /usr/share/doc/opencv-doc/examples/data/vtest.avi
    need gstreamer1.0-libav "$seeking in GStreamer" element avdec_h264
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
