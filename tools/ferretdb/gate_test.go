package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// message has no body but its flags, and says of itself that it is so long.
func message(size, flags uint32) []byte {
	made := make([]byte, headerBytes+4)
	binary.LittleEndian.PutUint32(made, size)
	binary.LittleEndian.PutUint32(made[12:], opMsg)
	binary.LittleEndian.PutUint32(made[headerBytes:], flags)
	return made
}

func TestOnlyMessagesOfASensibleLengthAreRead(t *testing.T) {
	for size, fits := range map[uint32]bool{
		headerBytes - 1: false, headerBytes: true, headerBytes + 4: true, maxMessageBytes + 1: false,
	} {
		read, err := readMessage(bytes.NewReader(message(size, 0)))
		if (err == nil) != fits || (fits && uint32(len(read)) != size) {
			t.Errorf("%d bytes: read %d, %v", size, len(read), err)
		}
	}
	if _, err := readMessage(bytes.NewReader(message(maxMessageBytes, 0))); err == nil {
		t.Error("a message that ends early was read")
	}
}

// command has the name and no arguments.
func command(name string) []byte {
	document := append([]byte{0, 0, 0, 0, 0x10}, name...)
	document = append(document, 0, 1, 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(document, uint32(len(document)))
	whole := append(append(message(0, 0), 0), document...)
	binary.LittleEndian.PutUint32(whole, uint32(len(whole)))
	return whole
}

func TestACommandIsKnownByItsName(t *testing.T) {
	if found := name(command("findAndModify")); found != "findAndModify" {
		t.Errorf("found %q", found)
	}
	whole := command("find")
	elsewhere := bytes.Clone(whole)
	elsewhere[headerBytes+4] = 1
	for _, odd := range [][]byte{whole[:headerBytes], whole[:headerBytes+4], whole[:headerBytes+12], elsewhere} {
		if found := name(odd); found != "" {
			t.Errorf("found %q in %v", found, odd)
		}
	}
}

func TestACommandThatWantsNoReplyGetsNone(t *testing.T) {
	if !wantsReply(message(headerBytes+4, 0)) || wantsReply(message(headerBytes+4, moreToCome)) {
		t.Error("the flag moreToCome is not heeded")
	}
}

// A backend that counts the commands it holds at a time; it answers each a moment later.
func countingBackend(t *testing.T, most *atomic.Int32) string {
	socket := filepath.Join(t.TempDir(), "backend.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	var held atomic.Int32
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				for {
					command, err := readMessage(connection)
					if err != nil {
						return
					}
					if now := held.Add(1); now > most.Load() {
						most.Store(now)
					}
					time.Sleep(time.Millisecond)
					held.Add(-1)
					connection.Write(command)
				}
			}()
		}
	}()
	return socket
}

func TestOneWriteAtATime(t *testing.T) {
	if most := mostAtATime(t, "update"); most != 1 {
		t.Errorf("%d writes at a time", most)
	}
}

func TestReadsDoNotWait(t *testing.T) {
	if most := mostAtATime(t, "find"); most < 2 {
		t.Errorf("%d reads at a time", most)
	}
}

func mostAtATime(t *testing.T, name string) int32 {
	var most atomic.Int32
	gate := &gate{backend: countingBackend(t, &most)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go gate.serve(ctx, listener)
	const clients, commands = 8, 10
	done := make(chan error, clients)
	for range clients {
		go func() {
			connection, err := net.Dial("tcp", listener.Addr().String())
			for n := 0; err == nil && n < commands; n++ {
				if _, err = connection.Write(command(name)); err == nil {
					_, err = readMessage(connection)
				}
			}
			done <- err
		}()
	}
	for range clients {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	return most.Load()
}
