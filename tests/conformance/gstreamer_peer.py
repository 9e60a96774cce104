"""GStreamer's webrtcbin as the answering side of a call: sends a picture and a tone, counts frames.

Runs under the system's Python, which has GStreamer's bindings. One JSON object a line: in
{"offer": sdp} and {"candidate": text, "index": m-line}; out {"answer": sdp}, candidates of its own,
and {"frames": {"video": n, "audio": n}}, what was decoded so far.
"""

# mypy: ignore-errors
# ruff: noqa: E402 - gi wants versions before its first request

import json
import re
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC

REPORT_MS = 200
PIPELINE = """
webrtcbin name=peer bundle-policy=max-bundle
videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=15/1
  ! vp8enc deadline=1 keyframe-max-dist=30 ! rtpvp8pay
  ! application/x-rtp,media=video,encoding-name=VP8,payload={VP8} ! peer.
audiotestsrc is-live=true ! audioconvert ! audioresample ! opusenc ! rtpopuspay
  ! application/x-rtp,media=audio,encoding-name=OPUS,payload={opus} ! peer.
"""


def tell(**what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Answerer:
    """One connection, from the offer on."""

    def __init__(self):
        self.frames = {"video": 0, "audio": 0}
        self.peer = self.pipeline = None
        self.early = []

    def take(self, line):
        message = json.loads(line)
        if "offer" in message:
            self.answer(message["offer"])
        elif self.peer:
            self.peer.emit("add-ice-candidate", message["index"], message["candidate"])
        else:
            self.early.append(line)

    def answer(self, sdp):
        types = {
            codec: re.search(rf"a=rtpmap:(\d+) {codec}/", sdp, re.IGNORECASE)[1]
            for codec in ("VP8", "opus")
        }
        self.pipeline = Gst.parse_launch(PIPELINE.format(**types))
        self.peer = self.pipeline.get_by_name("peer")
        self.peer.connect("on-ice-candidate", lambda _, i, c: tell(candidate=c, index=i))
        self.peer.connect("pad-added", self.decode)
        self.pipeline.set_state(Gst.State.PLAYING)
        _, message = GstSdp.SDPMessage.new_from_text(sdp)
        offer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.OFFER, message)
        self.peer.emit("set-remote-description", offer, Gst.Promise.new_with_change_func(self.make))

    def make(self, _):
        self.peer.emit("create-answer", None, Gst.Promise.new_with_change_func(self.made))

    def made(self, promise):
        reply = promise.get_reply()  # its memory holds the answer's, so it has to stay
        answer = reply.get_value("answer")
        self.peer.emit("set-local-description", answer, Gst.Promise.new())
        tell(answer=answer.sdp.as_text())
        early, self.early = self.early, []
        for line in early:
            self.take(line)

    def decode(self, _, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        decoder = Gst.ElementFactory.make("decodebin")
        decoder.connect("pad-added", self.count)
        self.pipeline.add(decoder)
        decoder.sync_state_with_parent()
        pad.link(decoder.get_static_pad("sink"))

    def count(self, _, pad):
        kind = pad.get_current_caps().to_string().partition("/")[0]
        sink = Gst.ElementFactory.make("fakesink")
        sink.set_property("signal-handoffs", True)
        sink.connect("handoff", lambda *_: self.frames.update({kind: self.frames[kind] + 1}))
        self.pipeline.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    def report(self):
        tell(frames=self.frames)
        return True


if __name__ == "__main__":
    Gst.init(None)
    answerer, loop = Answerer(), GLib.MainLoop()

    def read():
        for line in sys.stdin:
            GLib.idle_add(answerer.take, line)
        loop.quit()

    threading.Thread(target=read, daemon=True).start()
    GLib.timeout_add(REPORT_MS, answerer.report)
    loop.run()
