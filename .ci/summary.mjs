// Adds up the reports of the suites and prints the last line of CI. A skipped test fails it: CI has everything.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.argv[2]
const total = { passed: 0, failed: 0, skipped: 0 }
for (const file of readdirSync(folder).filter(name => name.endsWith('.json'))) {
  const report = JSON.parse(readFileSync(join(folder, file), 'utf8'))
  const skipped = report.numPendingTests + report.numTodoTests
  console.log(
    `${file.replace('.json', '').padEnd(28)} ${report.numPassedTests} passed, ${report.numFailedTests} failed, ${skipped} skipped`,
  )
  total.passed += report.numPassedTests
  // A file that does not load has no failed test, only a failed suite.
  total.failed += report.numFailedTests + (report.success === false && report.numFailedTests === 0 ? 1 : 0)
  total.skipped += skipped
  for (const suite of report.testResults) {
    for (const test of suite.assertionResults) {
      if (test.status === 'failed') console.log(`  failed: ${test.fullName}\n${why(test)}`)
      if (test.status === 'pending' || test.status === 'skipped' || test.status === 'todo')
        console.log(`  skipped: ${test.fullName}`)
    }
  }
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exit(total.failed > 0 || total.skipped > 0 || total.passed === 0 ? 1 : 0)

/** The beginning of what a failed test said, so that the end of the log is enough to start from. */
function why({ failureMessages = [] }) {
  return failureMessages
    .flatMap(message => message.split('\n').slice(0, 30))
    .map(line => `    ${line.slice(0, 300)}`)
    .join('\n')
}
