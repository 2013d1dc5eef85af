// Package notify tells people how the runs of a job end: what is due (Decide), in which words (Message), and by which
// way (Webhook, Email, Command). Of a run it knows its summary and no more.
//
// A bad state that lasts is told once, until it changes; its end is told once; complete nights are told once each. All
// that a run has to say to one channel is one message. What could not be delivered is due again at the next run, and the
// memory says so meanwhile.
//
// The URL of a webhook, keys and passwords are secrets: no error and no memory repeats them, nor what a server or a
// command said, which may.
package notify
