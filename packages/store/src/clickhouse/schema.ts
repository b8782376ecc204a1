/**
 * Every span is inserted once, into a table that keeps nothing, from which ClickHouse fills three: by trace, what reads give
 * back; by time, what searches look at; names. Each is dropped by whole days of arrival.
 *
 *     ingest ──► spans    (low_id, seq)      the span as Zipkin's JSON
 *            ──► moments  (ms, low_id)       what can be asked for; no JSON
 *            ──► names    (service, name, remote)
 */
export function schema(ttlDays: number): string[] {
  const kept = `TTL stored_at + INTERVAL ${ttlDays} DAY DELETE SETTINGS ttl_only_drop_parts = 1`
  return [
    `CREATE TABLE IF NOT EXISTS ingest (
       seq         UInt64,
       trace_id    String,
       id          String,
       ms          Int64,
       duration    Int64,
       service     String,
       name        String,
       remote      String,
       tags        Map(String, String),
       annotations Array(String),
       json        String
     ) ENGINE = Null`,
    `CREATE TABLE IF NOT EXISTS spans (
       low_id    String CODEC(ZSTD(1)),
       trace_id  String CODEC(ZSTD(1)),
       seq       UInt64 CODEC(Delta, ZSTD(1)),
       json      String CODEC(ZSTD(3)),
       stored_at DateTime
     ) ENGINE = MergeTree ORDER BY (low_id, seq) PARTITION BY toDate(stored_at) ${kept}, index_granularity = 1024`,
    `CREATE TABLE IF NOT EXISTS moments (
       ms          Int64 CODEC(Delta, ZSTD(1)),
       low_id      String CODEC(ZSTD(1)),
       trace_id    String CODEC(ZSTD(1)),
       duration    Int64 CODEC(ZSTD(1)),
       service     LowCardinality(String),
       name        LowCardinality(String),
       remote      LowCardinality(String),
       tags        Map(LowCardinality(String), String) CODEC(ZSTD(1)),
       annotations Array(String) CODEC(ZSTD(1)),
       stored_at   DateTime,
       INDEX by_trace low_id TYPE bloom_filter(0.01) GRANULARITY 1
     ) ENGINE = MergeTree ORDER BY (ms, low_id) PARTITION BY toDate(stored_at) ${kept}`,
    `CREATE TABLE IF NOT EXISTS names (
       service   LowCardinality(String),
       name      LowCardinality(String),
       remote    LowCardinality(String),
       stored_at DateTime
     ) ENGINE = ReplacingMergeTree(stored_at) ORDER BY (service, name, remote) TTL stored_at + INTERVAL ${ttlDays} DAY DELETE`,
    `CREATE MATERIALIZED VIEW IF NOT EXISTS to_spans TO spans AS
       SELECT right(trace_id, 16) AS low_id, trace_id, seq, json, now() AS stored_at FROM ingest`,
    `CREATE MATERIALIZED VIEW IF NOT EXISTS to_moments TO moments AS
       SELECT ms, right(trace_id, 16) AS low_id, trace_id, duration, service, name, remote, tags, annotations,
              now() AS stored_at
       FROM ingest`,
    `CREATE MATERIALIZED VIEW IF NOT EXISTS to_names TO names AS
       SELECT service, name, remote, max(now()) AS stored_at FROM ingest WHERE service != ''
       GROUP BY service, name, remote`,
  ]
}
