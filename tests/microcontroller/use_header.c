/* What a microcontroller would do with the header, in double precision and without haste.
 *
 *   use_header frame  < AFFECTD_FRAME_LENGTH floats   one frame of MFCCs
 *   use_header model                                  the bytes of the model
 *   use_header card                                   labels and constants
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model.h"

static int print_frame(void)
{
    static float x[AFFECTD_FRAME_LENGTH];
    static double y[AFFECTD_N_FFT], bins[AFFECTD_N_FFT / 2 + 1], logs[AFFECTD_N_MELS];
    const double turn = 2.0 * acos(-1.0) / AFFECTD_N_FFT;
    int n, k, m, c;
    uint32_t i;

    if (fread(x, sizeof x, 1, stdin) != 1)
        return 1;
    for (n = 0; n < AFFECTD_FRAME_LENGTH; n++)
        y[n] = (x[n] - AFFECTD_PREEMPHASIS * (n ? x[n - 1] : 0.0)) * affectd_window[n];
    for (k = 0; k <= AFFECTD_N_FFT / 2; k++) {
        double re = 0.0, im = 0.0;
        for (n = 0; n < AFFECTD_N_FFT; n++) {
            re += y[n] * cos(turn * k * n);
            im -= y[n] * sin(turn * k * n);
        }
        bins[k] = re * re + im * im;
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
        printf("%.9g\n", sum);
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
    for (i = 0; i < AFFECTD_N_MFCC; i++)
        printf("%.9g %.9g %.9g %.9g\n", affectd_mean[i], affectd_std[i], affectd_voice_variance[i],
               affectd_turn_variance[i]);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "frame"))
        return print_frame();
    if (argc == 2 && !strcmp(argv[1], "card"))
        return print_card();
    if (argc == 2 && !strcmp(argv[1], "model"))
        return fwrite(affectd_model, AFFECTD_MODEL_BYTES, 1, stdout) != 1;
    return 64;
}
