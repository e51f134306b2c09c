// A program for the tests of the frame of every program (serving/program.ts). WORK chooses what it does.
import { Environment, type Variable } from '#serving/env.ts'
import { runProgram } from '#serving/program.ts'

const VARIABLES: readonly Variable[] = [
  { name: 'WORK', fallback: 'run', meaning: 'run, fail, end, defect or never-start' },
  { name: 'LOG_LEVEL', fallback: 'info', meaning: 'how much is logged' },
]

const WORK = ['run', 'fail', 'end', 'defect', 'never-start']

void runProgram(
  {
    name: 'small',
    purpose: 'Does what WORK says.',
    version: '1.2.3',
    variables: VARIABLES,
    readConfig: (environment) => {
      const env = new Environment(environment)
      const work = env.string('WORK', 'run')
      if (!WORK.includes(work)) env.problem('WORK', `one of ${WORK.join(', ')}`)
      const logLevel = env.level('LOG_LEVEL', 'info')
      if (env.problems.length > 0) return { kind: 'problems', problems: env.problems }
      return { kind: 'config', config: { work, logLevel } }
    },
    start: async ({ work }, log) => {
      // Something must keep the process alive, as a server does.
      setInterval(() => {}, 60_000)
      if (work === 'fail') throw new Error('Cannot listen on port 1: it is reserved for root')
      log.info({ work }, 'working')
      if (work === 'never-start') await new Promise(() => {})
      if (work === 'defect') {
        setImmediate(() => {
          setImmediate(() => log.info({}, 'still working'))
          throw new TypeError('undefined is not a function')
        })
      }
      return {
        ...(work === 'end' && { over: Promise.resolve('there is nothing left to do') }),
        close: async () => log.info({}, 'closed'),
      }
    },
  },
  process.env,
)
