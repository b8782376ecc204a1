import brave.Span;
import brave.Tracing;
import brave.propagation.TraceContext;
import java.util.List;
import zipkin2.reporter.Encoding;
import zipkin2.reporter.brave.AsyncZipkinSpanHandler;
import zipkin2.reporter.urlconnection.URLConnectionSender;

/** Brave and its reporter, as an application has them: a call, a server half under the same id, an error. */
public final class Report {
  public static void main(String[] args) throws Exception {
    Encoding encoding = Encoding.valueOf(args[1]);
    try (URLConnectionSender sender = URLConnectionSender.newBuilder().endpoint(args[0]).encoding(encoding).build();
        AsyncZipkinSpanHandler handler = AsyncZipkinSpanHandler.create(sender)) {
      TraceContext shared;
      try (Tracing tracing = tracing("brave-client", handler)) {
        Span parent = tracing.tracer().newTrace().name("Order").start();
        Span call = tracing.tracer().newChild(parent.context()).name("GET").kind(Span.Kind.CLIENT).start();
        call.remoteServiceName("brave-server").tag("http.path", "/é").annotate("wire");
        call.remoteIpAndPort("10.1.2.3", 8080);
        shared = call.context();
        try (Tracing server = tracing("brave-server", handler)) {
          Span half = server.tracer().joinSpan(shared).name("GET").kind(Span.Kind.SERVER).start();
          half.error(new IllegalStateException("no stock")).finish();
        }
        call.finish();
        parent.finish();
        handler.flush();
        System.out.println(parent.context().traceIdString());
      }
    }
  }

  private static Tracing tracing(String service, AsyncZipkinSpanHandler handler) {
    return Tracing.newBuilder().localServiceName(service).localIp("10.0.0.1").traceId128Bit(true).addSpanHandler(handler).build();
  }
}
