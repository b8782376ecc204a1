/** `950`, `1.2K`, `3.4M` */
export function short(count: number): string {
  return new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(count)
}
