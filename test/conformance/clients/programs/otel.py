"""The OpenTelemetry SDK for Python: otel.py (zipkin|http|grpc) ENDPOINT"""
import sys

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

kind, endpoint = sys.argv[1:]
if kind == "zipkin":
    from opentelemetry.exporter.zipkin.json import ZipkinExporter

    exporter = ZipkinExporter(endpoint=endpoint)
elif kind == "http":
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    exporter = OTLPSpanExporter(endpoint=endpoint, compression=Compression.Gzip)
else:
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    exporter = OTLPSpanExporter(endpoint=endpoint, insecure=True)

provider = TracerProvider(resource=Resource.create({"service.name": "Py-Client", "deployment.environment": "test"}))
provider.add_span_processor(BatchSpanProcessor(exporter))
tracer = provider.get_tracer("scope-of-py", "1.2")
batch = trace.SpanContext(0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, True, trace.TraceFlags(1))
links = [trace.Link(batch, {"reason": "batch"})]
with tracer.start_as_current_span("Order", kind=trace.SpanKind.SERVER, links=links) as parent:
    attributes = {"peer.service": "Py-Server", "http.request.method": "GET", "sizes": [1, 2], "ratio": 0.5}
    with tracer.start_as_current_span("GET", kind=trace.SpanKind.CLIENT, attributes=attributes) as call:
        call.add_event("cache miss", {"key": "k1"})
        call.set_status(trace.StatusCode.ERROR, "no stock")
    trace_id = parent.get_span_context().trace_id
provider.shutdown()
print(format(trace_id, "032x"))
