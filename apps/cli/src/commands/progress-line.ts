/** One line that changes in place on a terminal; elsewhere only its first text is printed. */
export class ProgressLine {
  #shown = false

  show(text: string): void {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
    else if (!this.#shown) process.stderr.write(`${text}\n`)
    this.#shown = true
  }

  end(): void {
    if (this.#shown && process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  }
}
