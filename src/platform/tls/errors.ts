import { defineErrors, failure } from '../errors.ts'

/** What can be wrong with the certificates of this machine. */
export const tlsErrors = defineErrors({
  tls_certificate_invalid: {
    status: 500,
    summary: 'The certificate or the private key for TLS cannot be used.',
    hint: 'Mend the file that the message names, or let Pave make a certificate with PAVE_TLS=self-signed.',
  },
  tls_authority_invalid: {
    status: 500,
    summary: 'The file of authorities to trust holds no certificate.',
    hint: 'Let PAVE_CA name a file of certificates in PEM.',
  },
  https_required: {
    status: 400,
    summary: 'A plain HTTP request reached a port that speaks https.',
    hint: 'Use https:// in the address.',
  },
  tls_untrusted: {
    status: 500,
    summary: 'The certificate of the control plane is not one that programs on this machine accept.',
    hint: 'Name the authority that issued it with PAVE_CA, and an address that it is valid for with PAVE_URL.',
  },
})

export const tlsFailure = failure(tlsErrors)
