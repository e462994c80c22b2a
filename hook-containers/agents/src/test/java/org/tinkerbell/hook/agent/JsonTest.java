package org.tinkerbell.hook.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
    @Test
    void whatIsReadIsWrittenTheSame() {
        String text = "{\"a\":[1,-0.5e+10,18446744073709551615,true,false,null],\"b\":{},\"c\":[],\"d\":\"x\\\"\\\\y\"}";
        assertEquals(text, Json.write(Json.read(text)));
        assertEquals(text, Json.write(Json.read(" \n" + text.replace(",", " ,\t").replace(":", ": ") + "\r\n")));
    }

    @Test
    void escapesAreReadAndCharactersOutsideOfAsciiAreWrittenEscaped() {
        assertEquals("\b\f\n\r\t/ é \uD83D\uDE00", Json.read("\"\\b\\f\\n\\r\\t\\/ \\u00e9 \\ud83d\\uDE00\""));
        assertEquals("\"\\u000a\\u00e9\\u007f\"", Json.write("\né\u007f"));
    }

    @Test
    void theOrderOfMembersStays() {
        assertEquals(List.of("z", "a", "m"), List.copyOf(Json.readObject("{\"z\":1,\"a\":2,\"m\":3}").keySet()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "{", "}", "[1,]", "{\"a\":1,}", "{a:1}", "{\"a\" 1}", "[1 2]", "01", "-", "1.", "1e", "+1", ".5", "0x1",
        "tru", "nulll", "\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u\u0661234\"", "\"\n\"", "1 2", "{\"a\":1,\"a\":2}", "NaN", "'a'", "[", "// x\n1",
        "\u00a01"})
    void whatIsNoJsonIsRefused(String text) {
        assertThrows(Json.Malformed.class, () -> Json.read(text));
    }

    @Test
    void deepNestingIsRefusedBeforeTheStackEnds() {
        Json.Malformed error = assertThrows(Json.Malformed.class, () -> Json.read("[".repeat(100_000)));
        assertTrue(error.getMessage().contains("nested too deeply"), error.getMessage());
    }

    @Test
    void theWrongKindOfValueIsNamed() {
        Map<String, Object> json = Json.readObject("{\"s\":1,\"l\":{},\"o\":[],\"m\":[\"a\",1]}");
        assertEquals("s is not a string", assertThrows(Json.Malformed.class, () -> Json.string(json.get("s"), "s")).getMessage());
        assertEquals("l is not an array", assertThrows(Json.Malformed.class, () -> Json.array(json.get("l"), "l")).getMessage());
        assertEquals("o is not an object", assertThrows(Json.Malformed.class, () -> Json.object(json.get("o"), "o")).getMessage());
        assertThrows(Json.Malformed.class, () -> Json.strings(json.get("m"), "m"));
        assertThrows(Json.Malformed.class, () -> Json.readObject("[]"));
    }
}
