import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { Command, CommanderError, Option } from 'commander'
import { checkout } from './checkout.ts'
import { systemProblem, UserError } from './user-error.ts'
import { VERSION } from './version.ts'

enableCompileCache(join(checkout, '.cache', 'compile'))

const program = new Command('hopscope')
  .description('Runs, checks and breaks meshes of services whose proxies trace.')
  .version(VERSION, '--version', 'print the version')
  .showHelpAfterError('(hopscope help shows the commands)')
  .exitOverride()

const collect = (value: string, earlier: string[] = []) => [...earlier, value]
const knob = () =>
  new Option('--set <knob=value>', "a knob of the scenario; 'hopscope ls' shows them").argParser(collect)
const proxy = () => new Option('--proxy <proxy>', 'the real Envoy in place of every sidecar').choices(['envoy'])
const docker = () => new Option('--docker', 'with docker compose instead of as processes')

let exitCode = 0

program
  .command('up [scenario]', { isDefault: false })
  .description('run a scenario (without a name: the tour) until Ctrl-C')
  .addOption(knob())
  .addOption(proxy())
  .addOption(docker())
  .addOption(new Option('--ports <kind>', "the compose file's published ports").choices(['fixed']))
  .option('--detach', 'return when it is ready; ps, logs and down are for it then')
  .action(async (scenario, options) => {
    exitCode = await (await import('./commands/up.ts')).up(scenario, options)
  })

program
  .command('ps')
  .description('the mesh that runs: its processes and their memory')
  .action(async () => {
    exitCode = await (await import('./commands/detached.ts')).ps()
  })

program
  .command('logs [service]')
  .description('the mesh that runs: what its services wrote')
  .action(async service => {
    exitCode = await (await import('./commands/detached.ts')).logs(service)
  })

program
  .command('down')
  .description('the detached mesh: its end')
  .action(async () => {
    exitCode = await (await import('./commands/detached.ts')).down()
  })

program
  .command('curl')
  .description("send a request through the running mesh's entry: hopscope curl PATH_OR_URL [curl's arguments]")
  .allowUnknownOption()
  .argument('<target>')
  .argument('[args...]')
  .action(async (target: string, args: string[]) => {
    exitCode = await (await import('./commands/curl.ts')).curl(target, args)
  })

program
  .command('verify [scenarios...]')
  .description('run scenarios and hold what comes out against what must come out')
  .addOption(knob())
  .addOption(proxy())
  .addOption(docker())
  .option('--repeat <n>', 'run all of them so many times in a row, and print how long each took', '1')
  .option('--json', 'print the result as JSON')
  .option('--junit <file>', 'write the result as JUnit XML')
  .action(async (scenarios, options) => {
    exitCode = await (await import('./commands/verify.ts')).verify(scenarios, options)
  })

program
  .command('ls')
  .description('the scenarios, what they teach, their knobs')
  .action(async () => {
    exitCode = await (await import('./commands/ls.ts')).list()
  })

program
  .command('new <name>')
  .description('a working scenario to start from: scenarios/NAME, or a path')
  .action(async name => {
    exitCode = (await import('./commands/new.ts')).newScenario(name)
  })

program
  .command('compare <scenario>')
  .description('what tracing costs: the same calls traced, untraced and without a proxy, interleaved')
  .option('--calls <n>', 'calls of each kind', '300')
  .addOption(proxy())
  .option('--json', 'print the result as JSON')
  .option('--view', 'keep the meshes afterwards, and print the link that shows the result in the viewer')
  .action(async (scenario, options) => {
    exitCode = await (await import('./commands/compare.ts')).compare(scenario, options)
  })

program
  .command('validate <file>')
  .description('check an Envoy configuration as the sidecar would, all problems at once')
  .action(async file => {
    exitCode = await (await import('./commands/run-app.ts')).validate(file)
  })

program
  .command('store')
  .description("look into a collector's span store, check it, copy spans out and in (hopscope store --help)")
  .allowUnknownOption()
  .allowExcessArguments()
  .helpOption(false)
  .argument('[args...]')
  .action(async (_args, _options, command: Command) => {
    exitCode = await (await import('./commands/run-app.ts')).store(command.args)
  })

program
  .command('load')
  .description('send load: the client of the scenarios, with its own options (hopscope load --help)')
  .allowUnknownOption()
  .allowExcessArguments()
  .helpOption(false)
  .argument('[args...]')
  .action(async (_args, _options, command: Command) => {
    exitCode = await (await import('./commands/run-app.ts')).load(command.args)
  })

try {
  if (process.argv.length <= 2) program.outputHelp()
  else await program.parseAsync()
  process.exitCode = exitCode
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode
  else if (error instanceof UserError) {
    console.error(`hopscope: ${error.message}`)
    process.exitCode = 1
  } else if (systemProblem(error) !== undefined) {
    console.error(`hopscope: ${systemProblem(error)}`)
    process.exitCode = 1
  } else throw error
}
