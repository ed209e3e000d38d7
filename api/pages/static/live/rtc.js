// A camera's pictures by WebRTC: the browser reaches the recorder's machine by UDP. Our own addresses are not sent.

const h264 = (codec) => /^video\/(h264|rtx)$/i.test(codec.mimeType);

/** Codecs to ask for, or none where this browser cannot. */
function codecs() {
  const known = window.RTCRtpReceiver?.getCapabilities?.("video")?.codecs ?? [];
  return known.some((codec) => /h264/i.test(codec.mimeType)) ? known.filter(h264) : [];
}

export class RtcSink {
  way = "WebRTC";

  /** null where this browser cannot. lost(): called when the connection fails */
  static async make(video, servers, lost) {
    const wanted = codecs();
    if (!wanted.length) return null;
    const made = new RtcSink(video, servers, lost);
    made.transceiver.setCodecPreferences?.(wanted);
    await made.connection.setLocalDescription(await made.connection.createOffer());
    return made;
  }

  constructor(video, servers, lost) {
    this.video = video;
    this.connection = new RTCPeerConnection({ iceServers: servers });
    this.transceiver = this.connection.addTransceiver("video", { direction: "recvonly" });
    const receiver = this.transceiver.receiver;
    if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
    else if ("playoutDelayHint" in receiver) receiver.playoutDelayHint = 0;
    this.connection.addEventListener("connectionstatechange", () => {
      if (this.connection.connectionState === "failed") lost();
    });
  }

  get offer() {
    return this.connection.localDescription.sdp;
  }

  async accept(answer) {
    await this.connection.setRemoteDescription({ type: "answer", sdp: answer });
    this.video.srcObject = new MediaStream([this.transceiver.receiver.track]);
    await this.video.play().catch(() => {}); // it begins with the first picture
  }

  close() {
    this.connection.close();
    this.video.srcObject = null;
  }
}
