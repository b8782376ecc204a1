import { FLAG, type RowColumns } from './columns.ts'

/**
 * How many rows cover each cell of a small picture of the whole trace, row bands down and time across. Cost is
 * O(rows + cells), whatever the length of the bars: starts and ends are counted, then summed along each line.
 */
export interface MinimapRaster {
  width: number
  height: number
  coverage: Uint32Array
  /** 1 where a failing row begins or runs. */
  errors: Uint8Array
}

export function minimapRaster(columns: RowColumns, total: number, width: number, height: number): MinimapRaster {
  const stride = width + 1
  const edges = new Int32Array(stride * height)
  const errorEdges = new Int32Array(stride * height)
  const { count } = columns
  for (let i = 0; i < count; i++) {
    const y = Math.min(height - 1, Math.floor((i * height) / Math.max(count, height)))
    const from = cell(columns.start[i]!, total, width)
    const to = Math.max(
      from + 1,
      Math.min(width, Math.ceil(((columns.start[i]! + columns.duration[i]!) / total) * width)),
    )
    edges[y * stride + from]!++
    edges[y * stride + to]!--
    if (columns.flags[i]! & FLAG.error) {
      errorEdges[y * stride + from]!++
      errorEdges[y * stride + to]!--
    }
  }
  const coverage = new Uint32Array(width * height)
  const errors = new Uint8Array(width * height)
  for (let y = 0; y < height; y++) {
    let covered = 0
    let failing = 0
    for (let x = 0; x < width; x++) {
      covered += edges[y * stride + x]!
      failing += errorEdges[y * stride + x]!
      coverage[y * width + x] = covered
      if (failing > 0) errors[y * width + x] = 1
    }
  }
  return { width, height, coverage, errors }
}

function cell(time: number, total: number, width: number): number {
  return Math.max(0, Math.min(width - 1, Math.floor((time / total) * width)))
}
