import { defineErrors, failure } from '../errors.ts'

/** What goes wrong on the caller's side of the API: in the command line and in the typed client. */
export const clientErrors = defineErrors({
  usage: {
    status: 400,
    summary: 'The command line is not one that Pave understands.',
    hint: 'See `pave help`, or `pave COMMAND --help`.',
  },
  unreachable: {
    status: 503,
    summary: 'Nobody answers where the control plane should be.',
    hint: 'Start Pave with `pave up`, or point PAVE_URL at where it runs.',
  },
  unexpected_answer: {
    status: 502,
    summary: 'Something answered, but not as Pave does.',
    hint: 'Is this the address of a Pave control plane?',
  },
  source_unreadable: {
    status: 502,
    summary: 'What is to be copied cannot be read where it is.',
    hint: 'Mend what the message names and import again: what was copied is not copied twice.',
  },
  job_failed: {
    status: 500,
    summary: 'The job that was followed did not end well.',
    hint: 'See `pave get-job`; what it was is in the message.',
  },
  manifest_invalid: {
    status: 422,
    summary: 'A manifest cannot be read, or names a kind or field that does not exist.',
    hint: 'Mend the file at the line and column given; `pave schemas DIRECTORY` writes the schemas of all kinds.',
  },
})

export const clientFailure = failure(clientErrors)
