package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
)

const (
	headerBytes = 16
	opMsg       = 2013
	// Set in a message that wants no reply.
	moreToCome = 1 << 1
	// MongoDB's own bound on a message.
	maxMessageBytes = 48_000_000
)

// gate passes commands from any number of connections to FerretDB: those that may change something
// one at a time.
type gate struct {
	backend string
	one     sync.Mutex
}

func (g *gate) serve(ctx context.Context, listener net.Listener) {
	go func() {
		<-ctx.Done()
		listener.Close()
	}()
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		go g.relay(client)
	}
}

// relay carries one client's commands until either side closes.
func (g *gate) relay(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", g.backend)
	if err != nil {
		return
	}
	defer server.Close()
	for {
		command, err := readMessage(client)
		if err != nil {
			return
		}
		reply, err := g.exchange(server, command)
		if err != nil {
			return
		}
		if _, err := client.Write(reply); err != nil {
			return
		}
	}
}

// exchange sends a command and waits for its reply, which is empty where none is wanted.
func (g *gate) exchange(server net.Conn, command []byte) ([]byte, error) {
	if !readsOnly[name(command)] {
		g.one.Lock()
		defer g.one.Unlock()
	}
	if _, err := server.Write(command); err != nil {
		return nil, err
	}
	if !wantsReply(command) {
		return nil, nil
	}
	return readMessage(server)
}

// readsOnly names commands that change nothing. A client that is told nothing for some seconds by
// hello takes the server for dead, so that one must not stand in a queue.
var readsOnly = map[string]bool{
	"aggregate": true, "buildInfo": true, "count": true, "find": true, "getMore": true,
	"hello": true, "isMaster": true, "ismaster": true, "ping": true,
}

// name is the command's, which is the first key of the document in the first section; empty where
// the message does not begin with such a section.
func name(message []byte) string {
	const key = headerBytes + 4 + 1 + 4 + 1 // flags, kind, the document's length, the value's type
	if binary.LittleEndian.Uint32(message[12:]) != opMsg || len(message) <= key || message[headerBytes+4] != 0 {
		return ""
	}
	end := bytes.IndexByte(message[key:], 0)
	if end < 0 {
		return ""
	}
	return string(message[key : key+end])
}

// wantsReply: see https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/#op_msg.
func wantsReply(message []byte) bool {
	if binary.LittleEndian.Uint32(message[12:]) != opMsg || len(message) < headerBytes+4 {
		return true
	}
	return binary.LittleEndian.Uint32(message[headerBytes:])&moreToCome == 0
}

// readMessage reads one message of the wire protocol: its length, in four bytes, counts itself.
func readMessage(from io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(from, length[:]); err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint32(length[:])
	if size < headerBytes || size > maxMessageBytes {
		return nil, fmt.Errorf("a message of %d bytes: expected %d to %d", size, headerBytes, maxMessageBytes)
	}
	message := make([]byte, size)
	copy(message, length[:])
	_, err := io.ReadFull(from, message[4:])
	return message, err
}
