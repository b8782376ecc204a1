// zipkin-go and its HTTP reporter, as an application has them: zipkin-go COLLECTOR_URL (json|proto)
package main

import (
	"fmt"
	"os"

	zipkin "github.com/openzipkin/zipkin-go"
	"github.com/openzipkin/zipkin-go/model"
	"github.com/openzipkin/zipkin-go/proto/zipkin_proto3"
	"github.com/openzipkin/zipkin-go/reporter"
	"github.com/openzipkin/zipkin-go/reporter/http"
)

func main() {
	var serializer reporter.SpanSerializer = reporter.JSONSerializer{}
	if os.Args[2] == "proto" {
		serializer = zipkin_proto3.SpanSerializer{}
	}
	sender := http.NewReporter(os.Args[1], http.Serializer(serializer))
	local, err := zipkin.NewEndpoint("Go-Client", "10.0.0.2:9000")
	if err != nil {
		panic(err)
	}
	tracer, err := zipkin.NewTracer(sender, zipkin.WithLocalEndpoint(local), zipkin.WithTraceID128Bit(true))
	if err != nil {
		panic(err)
	}
	peer, err := zipkin.NewEndpoint("Go-Server", "[2001:db8::1]:80")
	if err != nil {
		panic(err)
	}
	parent := tracer.StartSpan("Order")
	call := tracer.StartSpan("GET", zipkin.Parent(parent.Context()), zipkin.Kind(model.Client), zipkin.RemoteEndpoint(peer))
	zipkin.TagError.Set(call, "no stock")
	call.Tag("http.path", "/é")
	call.Finish()
	parent.Finish()
	if err := sender.Close(); err != nil {
		panic(err)
	}
	fmt.Println(parent.Context().TraceID.String())
}
