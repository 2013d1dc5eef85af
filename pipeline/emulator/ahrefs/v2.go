package ahrefs

import "net/http"

type v2query struct{}

func (q *v2query) key() string                              { return "" }
func isV2(path string) bool                                 { return false }
func (s *Server) readV2(r *http.Request) (*Request, *Reply) { return nil, nil }
func (s *Server) refuseV2(path string, status int) Reply    { return Reply{} }
func (s *Server) answerV2(q *v2query) Reply                 { return Reply{} }
