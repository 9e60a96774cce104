// The peer: rooms and messages on Socket.IO, as its documentation writes them. Nothing is stored.
// node socketio.js PORT [REDIS_URL]

import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const [port, redisUrl] = process.argv.slice(2);
const http = createServer();
const io = new Server(http, { transports: ["websocket"] });

if (redisUrl) {
  const publisher = createClient({ url: redisUrl });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  io.adapter(createAdapter(publisher, subscriber));
}

io.on("connection", (socket) => {
  socket.on("enter_room", (room, nickname, done) => {
    socket.data.nickname = nickname;
    socket.join(room);
    done();
  });
  socket.on("new_message", (room, text, done) => {
    io.to(room).emit("new_message", { from: socket.data.nickname, text, sent_at: Date.now() });
    done();
  });
});

http.listen(Number(port), "127.0.0.1");
