/** P(X > x) for a chi-square variable with `degrees` degrees of freedom: Q(degrees / 2, x / 2). */
export function chiSquareSurvival(x: number, degrees: number): number {
  if (x <= 0) return 1
  return upperGamma(degrees / 2, x / 2)
}

/** The x with `chiSquareSurvival(x, degrees) = alpha`, by bisection. */
export function chiSquareCritical(alpha: number, degrees: number): number {
  let low = 0
  let high = degrees + 10
  while (chiSquareSurvival(high, degrees) > alpha) high *= 2
  while (high - low > 1e-12 * high) {
    const middle = (low + high) / 2
    if (chiSquareSurvival(middle, degrees) > alpha) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/**
 * The regularised upper incomplete gamma function Q(a, x): the power series of DLMF 8.7.1 for small x, else the
 * continued fraction of DLMF 8.9.2 by the modified Lentz method. Relative error about 1e-13.
 */
function upperGamma(a: number, x: number): number {
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a))
  if (x < a + 1) {
    let term = 1 / a
    let sum = term
    for (let n = 1; term > sum * 1e-16; n++) {
      term *= x / (a + n)
      sum += term
    }
    return 1 - scale * sum
  }
  const tiny = 1e-300
  let b = x + 1 - a
  let c = 1 / tiny
  let d = 1 / b
  let fraction = d
  for (let n = 1; n < 10_000; n++) {
    const numerator = n * (a - n)
    b += 2
    d = 1 / (numerator * d + b || tiny)
    c = b + numerator / c || tiny
    fraction *= c * d
    if (Math.abs(c * d - 1) < 1e-16) break
  }
  return scale * fraction
}

/** ln Γ(x) for x > 0 by Lanczos' approximation with g = 7 and Godfrey's nine coefficients. */
function logGamma(x: number): number {
  const coefficients = [
    676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
    -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ]
  const sum = coefficients.reduce((total, coefficient, i) => total + coefficient / (x + i), 0.99999999999980993)
  const t = x + 6.5
  return Math.log(Math.sqrt(2 * Math.PI)) + (x - 0.5) * Math.log(t) - t + Math.log(sum)
}
