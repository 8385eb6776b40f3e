import { z } from 'zod'

// The content security policy forbids the code that zod would compile a schema to, so schemas must be told before
// the first one is made.
z.config({ jitless: true })
