package postgres

import (
	"net"
	"time"
)

// silence is for how long a connection may not be heard of before it is given up: a network may drop what is sent without a word.
const silence = 30 * time.Second

var dialer = net.Dialer{Timeout: silence, Control: giveUp, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silence / 2, Interval: silence / 6, Count: 3}}
