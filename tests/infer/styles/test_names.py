from faststyle.infer.styles.names import style_name


def test_a_style_is_named_after_its_file_without_what_mix_reads():
    assert style_name("paintings/starry night.v2.jpg") == "starry night.v2"
    assert style_name("a,b=c.jpg") == "a_b_c"
