/* A VISA library of one instrument, GPIB0::4::INSTR, that says what it was told. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT ((int32_t)0xBFFF0015)
#define NOT_FOUND ((int32_t)0xBFFF0011)
#define LOCKED ((int32_t)0xBFFF000F)
#define FULL 0x3FFF0006

static char answer[1 << 22];
static uint32_t left, at, timeout_ms;
static uint32_t locked_by;
static uint16_t status_byte = 0x10;
static int events;

int32_t viOpenDefaultRM(uint32_t *manager) { *manager = 1; return 0; }

int32_t viOpen(uint32_t manager, const char *name, uint32_t mode, uint32_t timeout, uint32_t *session) {
    static uint32_t next = 2;
    (void)manager, (void)mode, (void)timeout;
    if (strcmp(name, "GPIB0::4::INSTR") != 0) return NOT_FOUND;
    *session = next++;
    return 0;
}

int32_t viClose(uint32_t handle) { if (handle == locked_by) locked_by = 0; return 0; }

int32_t viSetAttribute(uint32_t session, uint32_t attribute, uintptr_t value) {
    (void)session;
    if (attribute == 0x3FFF001A) timeout_ms = (uint32_t)value;
    return 0;
}

int32_t viStatusDesc(uint32_t session, int32_t status, char *words) {
    (void)session;
    strcpy(words, status == NOT_FOUND ? "Insufficient location information or the device is not present" : "");
    return 0;
}

int32_t viWrite(uint32_t session, const uint8_t *bytes, uint32_t count, uint32_t *written) {
    (void)session;
    *written = count;
    left = at = 0;
    if (count >= 5 && memcmp(bytes, "*IDN?", 5) == 0) left = (uint32_t)sprintf(answer, "FAKE,VISA,%u,1\n", timeout_ms);
    if (count >= 6 && memcmp(bytes, "BLOCK?", 6) == 0) {
        left = (uint32_t)sprintf(answer, "#73000000");
        memset(answer + left, '\n', 3000000);
        left += 3000000;
        answer[left++] = '\n';
    }
    return 0;
}

int32_t viRead(uint32_t session, uint8_t *room, uint32_t count, uint32_t *read) {
    (void)session;
    *read = 0;
    if (left == 0) { usleep(timeout_ms * 1000); return TIMEOUT; }
    *read = left < count ? left : count;
    memcpy(room, answer + at, *read);
    at += *read;
    left -= *read;
    return left > 0 ? FULL : 0;
}

int32_t viClear(uint32_t session) { (void)session; left = 0; return 0; }
int32_t viReadSTB(uint32_t session, uint16_t *byte) { (void)session; *byte = status_byte; return 0; }
int32_t viAssertTrigger(uint32_t session, uint16_t protocol) { (void)session, (void)protocol; events++; status_byte = 0x50; return 0; }

int32_t viLock(uint32_t session, uint32_t kind, uint32_t timeout, const char *key, char *given) {
    (void)kind, (void)timeout, (void)key, (void)given;
    if (locked_by != 0 && locked_by != session) return LOCKED;
    locked_by = session;
    return 0;
}

int32_t viUnlock(uint32_t session) { (void)session; locked_by = 0; return 0; }
int32_t viEnableEvent(uint32_t session, uint32_t kind, uint16_t mechanism, uint32_t filter) { (void)session, (void)kind, (void)mechanism, (void)filter; return 0; }

int32_t viWaitOnEvent(uint32_t session, uint32_t kind, uint32_t timeout, uint32_t *which, uint32_t *context) {
    (void)session;
    *which = kind;
    *context = 99;
    if (events == 0) { usleep(timeout * 1000); return TIMEOUT; }
    events--;
    return 0;
}
