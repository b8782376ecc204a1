/** The fields of one span while they are read, before it becomes a row of a head: numbers and entries as its columns have them. */
export class Row {
  traceLowHigh = 0
  traceLowLow = 0
  traceHighHigh = 0
  traceHighLow = 0
  idHigh = 0
  idLow = 0
  parentHigh = 0
  parentLow = 0
  /** Number of a kind; 0 is none. */
  kind = 0
  name = 0
  /** µs; 0 is none. */
  timestamp = 0
  duration = 0
  local = 0
  remote = 0
  isDebug = false
  isShared = false

  clear(): void {
    this.traceLowHigh = 0
    this.traceLowLow = 0
    this.traceHighHigh = 0
    this.traceHighLow = 0
    this.idHigh = 0
    this.idLow = 0
    this.parentHigh = 0
    this.parentLow = 0
    this.kind = 0
    this.name = 0
    this.timestamp = 0
    this.duration = 0
    this.local = 0
    this.remote = 0
    this.isDebug = false
    this.isShared = false
  }
}
