/* What a microcontroller would do with the header, in double precision and without haste.
 *
 *   use_header frames < floats    a line of AFFECTD_N_FEATURES values for each whole frame of the sound
 *   use_header model              the bytes of the model
 *   use_header card               labels and constants
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model.h"

#ifdef AFFECTD_PITCH_LENGTH
#define PITCH_LENGTH AFFECTD_PITCH_LENGTH
#else
#define PITCH_LENGTH 0
#endif

/* The last samples, and one before them for the pre-emphasis; zeros before the sound. */
#define N_HEARD (1 + (AFFECTD_FRAME_LENGTH > PITCH_LENGTH ? AFFECTD_FRAME_LENGTH : PITCH_LENGTH))
static float heard[N_HEARD];

/* One turn of the circle in n steps. */
static void make_circle(double *cosines, double *sines, int n)
{
    int i;

    for (i = 0; i < n; i++) {
        cosines[i] = cos(2.0 * acos(-1.0) * i / n);
        sines[i] = sin(2.0 * acos(-1.0) * i / n);
    }
}

/* |FFT(y)[k]|^2 of n samples, zeros behind them up to n_fft. */
static double power(const double *y, int n, int k, const double *cosines, const double *sines, int n_fft)
{
    double re = 0.0, im = 0.0;
    int i, at = 0;

    for (i = 0; i < n; i++) {
        re += y[i] * cosines[at];
        im -= y[i] * sines[at];
        at += k;
        if (at >= n_fft)
            at -= n_fft;
    }
    return re * re + im * im;
}

static void print_mfcc(void)
{
    static double cosines[AFFECTD_N_FFT], sines[AFFECTD_N_FFT];
    static double y[AFFECTD_FRAME_LENGTH], bins[AFFECTD_N_FFT / 2 + 1], logs[AFFECTD_N_MELS];
    const float *x = heard + N_HEARD - AFFECTD_FRAME_LENGTH;
    int n, k, m, c;
    uint32_t i;

    if (cosines[0] == 0.0)
        make_circle(cosines, sines, AFFECTD_N_FFT);
    for (n = 0; n < AFFECTD_FRAME_LENGTH; n++)
        y[n] = (x[n] - AFFECTD_PREEMPHASIS * x[n - 1]) * affectd_window[n];
    for (k = 0; k <= AFFECTD_N_FFT / 2; k++) {
        bins[k] = power(y, AFFECTD_FRAME_LENGTH, k, cosines, sines, AFFECTD_N_FFT);
        if (AFFECTD_MAGNITUDE)
            bins[k] = sqrt(bins[k]);
    }
    for (m = 0; m < AFFECTD_N_MELS; m++) {
        double mel = AFFECTD_LOG_OFFSET;
        for (i = 0; i < affectd_mel_length[m]; i++)
            mel += (double)affectd_mel_weights[affectd_mel_offset[m] + i] * bins[affectd_mel_first[m] + i];
        logs[m] = log(mel > AFFECTD_LOG_FLOOR ? mel : AFFECTD_LOG_FLOOR);
    }
    for (c = 0; c < AFFECTD_N_MFCC; c++) {
        double sum = 0.0;
        for (m = 0; m < AFFECTD_N_MELS; m++)
            sum += affectd_dct[c][m] * logs[m];
        printf("%.9g ", sum);
    }
}

#ifdef AFFECTD_PITCH_LENGTH

static double bins[AFFECTD_PITCH_LAST_BIN + 1];

static double autocorrelation(int lag)
{
    static double cosines[AFFECTD_PITCH_N_INVERSE], sines[AFFECTD_PITCH_N_INVERSE];
    double sum = 0.0;
    int k;

    if (cosines[0] == 0.0)
        make_circle(cosines, sines, AFFECTD_PITCH_N_INVERSE);
    for (k = AFFECTD_PITCH_FIRST_BIN; k <= AFFECTD_PITCH_LAST_BIN; k++)
        sum += bins[k] * cosines[k * lag % AFFECTD_PITCH_N_INVERSE];
    return 2.0 / AFFECTD_PITCH_N_FFT * sum;
}

static void hear_band(void)
{
    static double cosines[AFFECTD_PITCH_N_FFT], sines[AFFECTD_PITCH_N_FFT], y[AFFECTD_PITCH_LENGTH];
    const float *x = heard + N_HEARD - AFFECTD_PITCH_LENGTH;
    int n, k;

    if (cosines[0] == 0.0)
        make_circle(cosines, sines, AFFECTD_PITCH_N_FFT);
    for (n = 0; n < AFFECTD_PITCH_LENGTH; n++)
        y[n] = x[n] * affectd_pitch_window[n];
    for (k = AFFECTD_PITCH_FIRST_BIN; k <= AFFECTD_PITCH_LAST_BIN; k++)
        bins[k] = power(y, AFFECTD_PITCH_LENGTH, k, cosines, sines, AFFECTD_PITCH_N_FFT);
}

static int highest_peak(const double *height)
{
    double highest = 0.0;
    int i, peak = 0;

    for (i = 1; i < AFFECTD_PITCH_N_LAGS - 1; i++) {
        double counts = height[i] * affectd_pitch_preference[i];
        if (height[i - 1] <= height[i] && height[i + 1] < height[i] && counts > highest) {
            highest = counts;
            peak = i;
        }
    }
    return peak;
}

static void print_pitch(void)
{
    static double loudest, pitch, height[AFFECTD_PITCH_N_LAGS];
    static int begun;
    double energy, voicing = 0.0;
    int i, p;

    hear_band();
    energy = autocorrelation(0);
    loudest = fmax(AFFECTD_PITCH_FADING * loudest, energy);
    energy += AFFECTD_PITCH_FAINT * loudest + AFFECTD_PITCH_SILENCE;
    for (i = 0; i < AFFECTD_PITCH_N_LAGS; i++)
        height[i] = autocorrelation(AFFECTD_PITCH_FIRST_LAG + i) / energy / affectd_pitch_expected[i];
    p = highest_peak(height);
    if (p) {
        double before = height[p - 1], at = height[p], behind = height[p + 1];
        double shift = (before - behind) / (before - 2.0 * at + behind) / 2.0;
        double hertz = AFFECTD_PITCH_LAG_RATE / (AFFECTD_PITCH_FIRST_LAG + p + shift);
        double step = log2(hertz / AFFECTD_PITCH_MIDDLE_HZ) - pitch, certain;
        voicing = fmin(at, 1.0);
        certain = (voicing - AFFECTD_VOICED_FROM) / (AFFECTD_VOICED_CERTAIN - AFFECTD_VOICED_FROM);
        certain = fmin(fmax(certain, 0.0), 1.0);
        if (!begun && certain >= AFFECTD_PITCH_FIRST_CERTAIN) {
            begun = 1;
            pitch = step;
        } else if (begun) {
            double share = fabs(step) > AFFECTD_PITCH_LEAP_OCTAVES ? AFFECTD_PITCH_LEAP_SHARE : 1.0;
            pitch += AFFECTD_PITCH_FASTEST * certain * step * share;
        }
    }
    printf("%.9g %.9g", pitch, voicing);
}

#endif

static int print_frames(void)
{
    size_t n = AFFECTD_FRAME_LENGTH - AFFECTD_LEAD;

    while (fread(heard + N_HEARD - n, sizeof *heard, n, stdin) == n) {
        print_mfcc();
#ifdef AFFECTD_PITCH_LENGTH
        print_pitch();
#endif
        printf("\n");
        n = AFFECTD_HOP_LENGTH;
        memmove(heard, heard + n, (N_HEARD - n) * sizeof *heard);
    }
    return 0;
}

static int print_card(void)
{
    int i;

    printf("%d %d %d %.9g %.9g\n", AFFECTD_SAMPLE_RATE, AFFECTD_HOP_LENGTH, AFFECTD_LEAD, AFFECTD_TEMPERATURE,
           AFFECTD_UNCERTAIN_BELOW);
    printf("%d %.9g %d %.9g %d\n", AFFECTD_N_FRAMES, AFFECTD_INPUT_SCALE, AFFECTD_INPUT_ZERO,
           AFFECTD_OUTPUT_SCALE, AFFECTD_OUTPUT_ZERO);
    for (i = 0; i < AFFECTD_N_LABELS; i++)
        printf("%s\t%.9g %.9g\n", affectd_labels[i], affectd_arousal[i], affectd_valence[i]);
    for (i = 0; i < AFFECTD_N_FEATURES; i++)
        printf("%.9g %.9g %.9g %.9g\n", affectd_mean[i], affectd_std[i], affectd_voice_variance[i],
               affectd_turn_variance[i]);
    return 0;
}

#ifdef AFFECTD_LEANING_VARIANCE

/* From the number of turns, then for each label a probability and the mean answer to those turns. */
static int print_upright(void)
{
    double n, r, sum = 0.0, p[AFFECTD_N_LABELS], said;
    int l;

    if (scanf("%lf", &n) != 1)
        return 65;
    r = n * AFFECTD_LEANING_VARIANCE / (n * AFFECTD_LEANING_VARIANCE + AFFECTD_ANSWER_VARIANCE);
    for (l = 0; l < AFFECTD_N_LABELS; l++) {
        if (scanf("%lf %lf", &p[l], &said) != 2)
            return 65;
        p[l] = fmax(p[l], AFFECTD_LEAST_PROBABILITY) * exp(-r * (said - affectd_usual[l]));
        sum += p[l];
    }
    for (l = 0; l < AFFECTD_N_LABELS; l++)
        printf("%.9g\n", p[l] / sum);
    return 0;
}

#endif

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "frames"))
        return print_frames();
    if (argc == 2 && !strcmp(argv[1], "card"))
        return print_card();
#ifdef AFFECTD_LEANING_VARIANCE
    if (argc == 2 && !strcmp(argv[1], "upright"))
        return print_upright();
#endif
    if (argc == 2 && !strcmp(argv[1], "model"))
        return fwrite(affectd_model, AFFECTD_MODEL_BYTES, 1, stdout) != 1;
    return 64;
}
