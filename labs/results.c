#include "results.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "net.h"
#include "show.h"

enum { STEPS_TOLD = 8 };

static bool complain(const char *path) {
    fprintf(stderr, "grade: cannot write %s: %s\n", path, strerror(errno));
    return false;
}

bool results_open(struct results *results, const char *path, bool in_full) {
    *results = (struct results){.path = path, .in_full = in_full, .started = sam_now()};
    results->file = open_memstream(&results->json, &results->length);
    if (results->file == NULL)
        return complain(path != NULL ? path : "the results");
    fputs("{\n  \"tests\": [", results->file);
    if (!in_full)
        puts("  lab                               points");
    fflush(stdout); /* what is still in a buffer, each process of a lab would write, too */
    return true;
}

/* Where the last steps of a story begin: what came long before them explains no failure. */
static const char *last_steps(const struct outcome *outcome, int steps) {
    char first[16];
    snprintf(first, sizeof first, "\n%d. ", outcome->steps - steps + 1);
    const char *at = outcome->steps > steps ? strstr(outcome->story, first) : NULL;
    return at != NULL ? at + 1 : outcome->story;
}

static void tell_lines(const char *text) {
    for (const char *line = text; *line != '\0';) {
        int length = (int)strcspn(line, "\n");
        printf("      %.*s\n", length, line);
        line += length + (line[length] == '\n');
    }
}

/* The end of what happened: all that matters of a failure, and what was won or lost otherwise. */
static void tell_story(const struct graded *check, const struct outcome *outcome) {
    if (outcome->passed && (check->corner == WINS || check->corner == LOSES) && outcome->steps > 0)
        tell_lines(last_steps(outcome, 2));
    if (outcome->passed)
        return;
    if (outcome->steps > STEPS_TOLD)
        printf("      (%d steps before)\n", outcome->steps - STEPS_TOLD);
    tell_lines(last_steps(outcome, STEPS_TOLD));
    printf("      help: %s\n", check->help);
}

static void tell_check(const struct graded *check, const struct outcome *outcome) {
    printf("  %s  ", outcome->passed ? "passed" : "FAILED");
    if (check->points > 0)
        printf("%-60s %2d/%d\n", check->name, outcome->passed ? check->points : 0, check->points);
    else
        puts(check->name);
    tell_story(check, outcome);
}

/* Text of many lines as the inside of a JSON string. */
static void write_text(FILE *file, const char *text) {
    for (;;) {
        size_t length = strcspn(text, "\n");
        sam_show_json(file, text, length);
        text += length;
        if (*text++ == '\0')
            return;
        fputs("\\n", file);
    }
}

static void write_check(struct results *results, const struct lab *which, size_t number,
                        const struct outcome *outcome) {
    const struct graded *check = &which->checks[number];
    FILE *file = results->file;
    fprintf(file, "%s\n    {\"number\": \"%.2s.%zu\", \"name\": \"", results->told > 0 ? "," : "",
            which->folder, number + 1);
    write_text(file, which->title);
    fputs(": ", file);
    write_text(file, check->name);
    fprintf(file, "\", \"status\": \"%s\", \"score\": %d, \"max_score\": %d, \"output\": \"",
            outcome->passed ? "passed" : "failed", outcome->passed ? check->points : 0,
            check->points);
    write_text(file, outcome->passed ? "" : outcome->story);
    fputs("\"}", file);
}

static void keep_score(const char *folder, const struct lab *which, int points, int most) {
    char path[PATH_MAX], text[32];
    snprintf(path, sizeof path, "%s/%s.score", folder, which->folder);
    int length = snprintf(text, sizeof text, "%d %d\n", points, most);
    if (sam_file_replace(path, 0666, text, (size_t)length) != SAM_OK)
        complain(path);
}

void results_add(struct results *results, const char *folder, const struct lab *which,
                 const struct outcome *outcomes) {
    int points = 0, most = 0;
    size_t failed = 0;
    if (results->in_full)
        printf("Lab %.2s: %s\n", which->folder, which->title);
    for (size_t i = 0; i < which->count; i++) {
        most += which->checks[i].points;
        points += outcomes[i].passed ? which->checks[i].points : 0;
        failed += !outcomes[i].passed;
        if (results->in_full)
            tell_check(&which->checks[i], &outcomes[i]);
        write_check(results, which, i, &outcomes[i]);
        results->told++;
    }
    if (results->in_full && failed > 0)
        printf("  %zu of %zu checks fail%s\n", failed, which->count,
               points == 0 ? ": that is the starting point." : ".");
    if (!results->in_full)
        printf("  %.2s  %-28s %3d of %2d%s\n", which->folder, which->title, points, most,
               points == most ? "  done" : "");
    fflush(stdout);
    keep_score(folder, which, points, most);
    results->points += points;
    results->most += most;
}

bool results_close(struct results *results) {
    printf("%s%d of %d points\n", results->in_full ? "  " : "  together                      ",
           results->points, results->most);
    if (!results->in_full && results->points == 0)
        puts("\n  That is the starting point. labs.md has the course; begin with: make lab L=01");
    fprintf(results->file,
            "\n  ],\n  \"output\": \"%d of %d points\",\n  \"execution_time\": %lld\n}\n",
            results->points, results->most,
            (long long)((sam_now() - results->started) / SAM_SECOND));
    bool written = fclose(results->file) == 0;
    if (results->path != NULL)
        written = written &&
                  sam_file_replace(results->path, 0666, results->json, results->length) == SAM_OK;
    free(results->json);
    return written || complain(results->path);
}
